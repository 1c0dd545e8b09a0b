from django.urls import path

from coproduce.themes import views

app_name = "themes"
urlpatterns = [
    path("themes/", views.themes, name="themes"),
    path("themes/make/", views.make, name="make"),
    path("themes/pool/", views.pool, name="pool"),
    path("themes/<int:pk>/", views.theme, name="theme"),
    path("themes/<int:pk>/rename/", views.rename, name="rename"),
    path("themes/<int:pk>/merge/", views.merge, name="merge"),
    path("themes/<int:pk>/undo/", views.undo, name="undo"),
]
